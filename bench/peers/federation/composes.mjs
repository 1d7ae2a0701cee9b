// Whether SDLs compose in other composers, and how Apollo plans an operation: node composes.mjs OPERATION SDL SDL…
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { composeServices } from "@apollo/composition";
import { operationFromDocument, Supergraph } from "@apollo/federation-internals";
import { prettyFormatQueryPlan, QueryPlanner } from "@apollo/query-planner";
import { composeServices as composeByTheGuild } from "@theguild/federation-composition";
import { parse } from "graphql";

const [operation, ...files] = process.argv.slice(2);
const services = files.map((file) => {
  const name = basename(file, ".graphql");
  return { name, url: `http://${name}`, typeDefs: parse(readFileSync(file, "utf8")) };
});

function composed(name, compose) {
  const { errors, supergraphSdl } = compose(services);
  console.log(`${name}: ${errors?.length ? errors.map((each) => each.message).join("\n") : "composes"}`);
  if (errors?.length) process.exitCode = 1;
  return supergraphSdl;
}

composed("@theguild/federation-composition", composeByTheGuild);
const supergraphSdl = composed("@apollo/composition", composeServices);
if (supergraphSdl) {
  const supergraph = Supergraph.build(supergraphSdl);
  const asked = operationFromDocument(supergraph.apiSchema(), parse(readFileSync(operation, "utf8")));
  console.log(prettyFormatQueryPlan(new QueryPlanner(supergraph).buildQueryPlan(asked)));
}
