// Apollo Gateway in Apollo Server on Express; SUPERGRAPH names the file.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { ApolloGateway } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";

const gateway = new ApolloGateway({ supergraphSdl: readFileSync(process.env.SUPERGRAPH, "utf8") });
const server = new ApolloServer({ gateway });
await server.start();
const app = express();
app.use("/graphql", express.json(), expressMiddleware(server));
createServer(app).listen(Number(process.env.PORT), "127.0.0.1");
