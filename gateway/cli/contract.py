"""`satugraf schema`: prints the contract."""


def print_schema() -> None:
    """Print the national subgraph's SDL.

    [bold]Example[/bold]: satugraf schema > national.graphql
    """
    import schema as contract

    print(contract.print_subgraph_sdl(), end="")  # noqa: T201 - the command's output
