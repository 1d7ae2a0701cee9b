// The graph's part that is measured, with the same policy filter and write; TUNED=1 adds projections and holds agencies and teams in memory.
import { hash, randomBytes } from "node:crypto";
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

export const contextOf = (authorization, write) => ({
  viewer: viewerOf(authorization),
  isBare: write === "bare",
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

const DIGESTED = [
  "status", "class", "category", "grade", "title", "body", "location", "anonymous", "confidential", "holder", "holders",
  "supporting", "team", "unit", "assignee", "hold", "forwardings", "followUps", "escalationLevel", "mergedInto", "rating",
  "closure", "secretHash",
].sort();
const READ = { projection: Object.fromEntries([...DIGESTED, "revision", "readers", "holderProvince", "firstFollowUpAt", "auditHead"].map((key) => [key, 1])) };

// JSON with keys in order, instants as the audit's chain writes them.
function written(value) {
  if (value === null || value === undefined) return "null";
  if (value instanceof Date) return `"${value.toISOString().slice(0, -1)}+00:00"`;
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (typeof value === "object")
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${written(value[key])}`).join(",")}}`;
  return JSON.stringify(value);
}

const sha256 = (text) => hash("sha256", text);

const grown = (old, rows) => `${old === "[]" ? "[" : `${old.slice(0, -1)},`}${written(rows.at(-1))}]`;

// The digests of both, between which a follow-up more is the difference: what they share is written once.
function digests(before, after) {
  const then = [], now = [];
  for (const key of DIGESTED) {
    const old = written(before[key]);
    then.push(`"${key}":${old}`);
    now.push(`"${key}":${key === "followUps" ? grown(old, after[key]) : old}`);
  }
  return [sha256(`{${then.join(",")}}`), sha256(`{${now.join(",")}}`)];
}

function watchers({ holder, holderProvince, readers }) {
  const province = `province:${holderProvince}`;
  const knows = readers.includes("public") || readers.includes(province);
  return [`agency:${holder}`, "all", ...(knows ? [province] : [])].sort();
}

function entryOf(viewer, before, after, at) {
  const head = before.auditHead ?? null;
  const [then, now] = digests(before, after);
  const entry = {
    complaint: after._id,
    sequence: head === null ? 1 : head.sequence + 1,
    at,
    action: "FOLLOW_UP",
    role: viewer.role,
    subject: viewer.subject,
    agency: viewer.agency,
    readers: watchers(after),
    before: then,
    after: now,
    previousHash: head === null ? null : head.hash,
  };
  return { ...entry, hash: sha256(written(entry)), mark: randomBytes(8).toString("hex") };
}

const followUpOf = (viewer, input, at) => ({
  kind: input.kind,
  body: input.body.trim(),
  visibility: input.visibility,
  byAgency: viewer.agency,
  byRole: viewer.role,
  bySubject: viewer.subject,
  commitment: null,
  closureCode: null,
  evidence: [],
  approved: true,
  rejection: null,
  at,
});

async function addRecorded(viewer, input, at) {
  const before = await complaints.findOne({ _id: input.complaint }, only(READ));
  const isToBeDone =
    before && before.holder === viewer.agency && mayKnow(viewer, before) && before.status === "IN_PROGRESS" && before.revision === input.expectedRevision;
  if (!isToBeDone) return null;
  const added = { id: `${input.complaint}/${before.followUps.length + 1}`, ...followUpOf(viewer, input, at) };
  const changes = { firstFollowUpAt: before.firstFollowUpAt ?? at, updatedAt: at };
  const after = { ...before, ...changes, revision: before.revision + 1, followUps: [...before.followUps, added] };
  const entry = entryOf(viewer, before, after, at);
  const made = await complaints.updateOne(
    { _id: before._id, revision: before.revision, status: before.status },
    {
      $set: { ...changes, auditHead: { sequence: entry.sequence, hash: entry.hash } },
      $push: { followUps: added, auditPending: entry },
      $inc: { revision: 1 },
    },
  );
  return made.matchedCount ? after : null;
}

async function addBare(viewer, input, at) {
  const literal = Object.entries(followUpOf(viewer, input, at)).map(([key, value]) => [key, { $literal: value }]);
  const id = { $concat: ["$_id", "/", { $toString: { $add: [{ $size: "$followUps" }, 1] } }] };
  const changes = {
    followUps: { $concatArrays: ["$followUps", [{ id, ...Object.fromEntries(literal) }]] },
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
    addFollowUp: async (_, { input }, { viewer, isBare }) => {
      const complaint = await (isBare ? addBare : addRecorded)(viewer, input, new Date());
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
