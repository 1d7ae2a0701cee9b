// GraphQL Yoga, with graphql-jit.
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { createSchema, createYoga } from "graphql-yoga";
import { contextOf, resolvers, typeDefs } from "./complaints.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  logging: false,
  plugins: [useGraphQlJit()],
  context: ({ request }) => contextOf(request.headers.get("authorization"), request.headers.get("x-write")),
});
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
