// The graph's part that is measured, with the same policy filter and write; TUNED=1 adds projections and holds agencies and teams in memory.
import { readFileSync } from "node:fs";
import DataLoader from "dataloader";
import { createVerifier } from "fast-jwt";
import { GraphQLScalarType, parse, print } from "graphql";
import { MongoClient } from "mongodb";

const TUNED = process.env.TUNED === "1";

const client = new MongoClient(process.env.SATUGRAF_MONGODB_URI, {
  w: "majority",
  journal: true,
  readConcernLevel: "majority",
  maxPoolSize: 50,
});
await client.connect();
const db = client.db(process.env.SATUGRAF_MONGODB_DATABASE);
const [complaints, agencies, teams] = ["complaints", "agencies", "teams"].map((name) => db.collection(name));

const contract = parse(readFileSync(new URL("../../../docs/schema.graphql", import.meta.url), "utf8"));
const enums = contract.definitions.filter((definition) => definition.kind === "EnumTypeDefinition");

export const typeDefs = `
  ${enums.map(print).join("\n")}
  scalar DateTime
  type Agency { id: ID! kind: AgencyKind! code: String name: String! shortName: String! connected: Boolean! regencies: [Agency!]! }
  type Team { id: ID! name: String! termTo: String }
  type Forwarding { sequence: Int! action: ComplaintAction! note: String at: DateTime! }
  type FollowUp { id: ID! kind: FollowUpKind! body: String at: DateTime! }
  type FollowUpConnection { nodes: [FollowUp!]! }
  type Complaint {
    id: ID! title: String! body: String class: ComplaintClass! status: ComplaintStatus! grade: SupervisionGrade channel: Channel!
    anonymous: Boolean! confidential: Boolean! escalationLevel: Int! receivedAt: DateTime! verifiedAt: DateTime
    firstFollowUpAt: DateTime closedAt: DateTime updatedAt: DateTime! revision: Int! holder: Agency! team: Team
    forwardings: [Forwarding!]! followUps(first: Int = 20): FollowUpConnection!
  }
  input ComplaintFilter { region: [ID!]! status: [ComplaintStatus!] }
  input AgencyFilter { kinds: [AgencyKind!]! }
  input AddFollowUpInput { complaint: ID! kind: FollowUpKind! body: String! visibility: Visibility! expectedRevision: Int! }
  type ComplaintConnection { nodes: [Complaint!]! }
  type AgencyConnection { nodes: [Agency!]! }
  type UserError { code: UserErrorCode! }
  type ComplaintPayload { complaint: Complaint userErrors: [UserError!]! }
  type Query {
    complaint(id: ID!): Complaint
    complaints(filter: ComplaintFilter, first: Int!): ComplaintConnection!
    agencies(filter: AgencyFilter!, first: Int!): AgencyConnection!
  }
  type Mutation { addFollowUp(input: AddFollowUpInput!): ComplaintPayload! }
`;

const STATUSES = enums
  .find((definition) => definition.name.value === "ComplaintStatus")
  .values.map((value) => value.name.value);

// ------------------------------------------------------------------ who is asking

const verify = createVerifier({
  key: process.env.SATUGRAF_DEVELOPMENT_KEY,
  algorithms: ["HS256"],
  allowedAud: "satugraf",
  allowedIss: "satugraf-development",
  requiredClaims: ["exp", "sub"],
  clockTolerance: 30_000,
  cache: TUNED,
});

function viewerOf(authorization) {
  if (!authorization) return { custody: [], groups: ["public"] };
  const claims = verify(authorization.slice("Bearer ".length));
  const custody = claims.role === "AGENCY_ADMIN" ? [`agency:${claims.agency}`] : [];
  return { role: claims.role, subject: claims.sub, agency: claims.agency, custody, groups: [...custody, "public"] };
}

const isIn = (groups, complaint) => complaint.readers.some((reader) => groups.includes(reader));
const inCustody = (viewer, complaint) => isIn(viewer.custody, complaint);
const mayKnow = (viewer, complaint) => isIn(viewer.groups, complaint);
const mayReadFollowUp = (viewer, complaint, row) =>
  inCustody(viewer, complaint) || (row.approved && row.visibility === "PUBLIC");

// ------------------------------------------------------------------ reading

const IN_LISTS = { projection: { body: 0, redactedBody: 0, forwardings: 0, followUps: 0, clocks: 0, location: 0, processed: 0, closure: 0 } };
const ALONE = { projection: { clocks: 0, location: 0, processed: 0, closure: 0 } };
const CHANGED = { projection: { status: 1, revision: 1, readers: 1 } };
const only = (options) => (TUNED ? options : {});

const memory = { agencies: new Map(), teams: new Map(), regencies: new Map() };
if (TUNED) {
  for (const agency of await agencies.find().sort({ name: 1 }).toArray()) {
    memory.agencies.set(agency._id, agency);
    memory.regencies.set(agency.province, [...(memory.regencies.get(agency.province) ?? []), agency]);
  }
  for (const team of await teams.find().toArray()) memory.teams.set(team._id, team);
}

const byId = (collection, options = {}) =>
  new DataLoader(async (ids) => {
    const found = await collection.find({ _id: { $in: ids } }, options).toArray();
    const rows = new Map(found.map((row) => [row._id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });

const byProvince = () =>
  new DataLoader(async (provinces) => {
    const rows = new Map(provinces.map((province) => [province, []]));
    for (const row of await agencies.find({ province: { $in: provinces } }).sort({ name: 1 }).toArray())
      rows.get(row.province).push(row);
    return provinces.map((province) => rows.get(province));
  });

export const contextOf = (authorization) => ({
  viewer: viewerOf(authorization),
  complaint: byId(complaints, only(ALONE)),
  agency: byId(agencies),
  team: byId(teams),
  regencies: byProvince(),
});

async function provinces(kinds, first) {
  if (TUNED) return [...memory.agencies.values()].filter((agency) => kinds.includes(agency.kind)).slice(0, first);
  return agencies.find({ kind: { $in: kinds } }).sort({ name: 1 }).limit(first).toArray();
}

// ------------------------------------------------------------------ writing

async function addFollowUp(viewer, input) {
  const at = new Date();
  const followUp = {
    id: { $concat: ["$_id", "/", { $toString: { $add: [{ $size: "$followUps" }, 1] } }] },
    kind: input.kind,
    body: { $literal: input.body.trim() },
    visibility: input.visibility,
    byAgency: { $literal: viewer.agency },
    byRole: viewer.role,
    bySubject: { $literal: viewer.subject },
    commitment: null,
    closureCode: null,
    evidence: [],
    approved: true,
    rejection: null,
    at,
  };
  const changes = {
    followUps: { $concatArrays: ["$followUps", [followUp]] },
    firstFollowUpAt: { $ifNull: ["$firstFollowUpAt", at] },
    updatedAt: at,
    revision: { $add: ["$revision", 1] },
  };
  const unchanged = {
    _id: input.complaint,
    revision: input.expectedRevision,
    status: "IN_PROGRESS",
    holder: viewer.agency,
    readers: { $in: viewer.groups },
  };
  return complaints.findOneAndUpdate(unchanged, [{ $set: changes }], { returnDocument: "after", ...only(CHANGED) });
}

// ------------------------------------------------------------------ resolvers

export const resolvers = {
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (value) => value.toISOString() }),
  Query: {
    complaint: async (_, { id }, context) => {
      const found = await context.complaint.load(id);
      return found && mayKnow(context.viewer, found) ? found : null;
    },
    complaints: async (_, { filter, first }, { viewer }) => {
      const wanted = {
        readers: { $in: viewer.groups },
        status: { $in: filter.status ?? STATUSES },
        province: { $in: filter.region },
      };
      const found = complaints.find(wanted, only(IN_LISTS)).sort({ receivedAt: -1, _id: -1 }).limit(first);
      return { nodes: await found.hint("readers_province_status_receivedAt").toArray() };
    },
    agencies: async (_, { filter, first }) => ({ nodes: await provinces(filter.kinds, first) }),
  },
  Mutation: {
    addFollowUp: async (_, { input }, { viewer }) => {
      const complaint = await addFollowUp(viewer, input);
      return { complaint, userErrors: complaint ? [] : [{ code: "CHANGED_MEANWHILE" }] };
    },
  },
  Complaint: {
    id: (complaint) => complaint._id,
    title: (complaint, _, { viewer }) => (inCustody(viewer, complaint) ? complaint.title : (complaint.redactedTitle ?? complaint.publicTitle)),
    body: (complaint, _, { viewer }) => (inCustody(viewer, complaint) ? complaint.body : complaint.redactedBody),
    holder: ({ holder }, _, context) => (TUNED ? memory.agencies.get(holder) : context.agency.load(holder)),
    team: ({ team }, _, context) => team && (TUNED ? memory.teams.get(team) : context.team.load(team)),
    forwardings: (complaint, _, { viewer }) =>
      inCustody(viewer, complaint) ? complaint.forwardings : complaint.forwardings.map((link) => ({ ...link, note: null })),
    followUps: (complaint, { first }, { viewer }) => ({
      nodes: complaint.followUps.filter((row) => mayReadFollowUp(viewer, complaint, row)).slice(0, first),
    }),
  },
  Agency: {
    id: (agency) => agency._id,
    regencies: (agency, _, context) =>
      TUNED ? (memory.regencies.get(agency._id) ?? []) : context.regencies.load(agency._id),
  },
  Team: { id: (team) => team._id },
};
