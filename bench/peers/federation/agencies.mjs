// Apollo Gateway as apollo.mjs, but it hands the caller's token on, as the national subgraph wants it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";

class WithToken extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.authorization) request.http.headers.set("authorization", context.authorization);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(process.env.SUPERGRAPH, "utf8"),
  buildService: ({ url }) => new WithToken({ url }),
});
const server = new ApolloServer({ gateway });
await server.start();
const app = express();
const context = async ({ req }) => ({ authorization: req.headers.authorization });
app.use("/graphql", express.json(), expressMiddleware(server, { context }));
createServer(app).listen(Number(process.env.PORT), "127.0.0.1");
