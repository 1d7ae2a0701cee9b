"use strict";

// The headers tab takes a token from tokens.json; nothing is kept in the browser unless the user asks for it.
const welcome = `# The national graph. To log in as a role, put a token of tokens.json into the Headers tab below:
#   { "Authorization": "Bearer …" }

query Register {
  agencies(filter: { connected: true, province: "prov-bali" }) {
    totalCount
    nodes { id name kind pilot region { code timeZone } }
  }
}
`;

const fetcher = GraphiQL.createFetcher({ url: new URL("../graphql", document.baseURI).pathname });

ReactDOM.createRoot(document.getElementById("console")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: welcome,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
  }),
);
