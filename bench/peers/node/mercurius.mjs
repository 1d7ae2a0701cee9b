// Mercurius on Fastify, with its just-in-time compiler.
import Fastify from "fastify";
import mercurius from "mercurius";
import { contextOf, resolvers, typeDefs } from "./complaints.mjs";

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: (request) => contextOf(request.headers.authorization, request.headers["x-write"]),
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
