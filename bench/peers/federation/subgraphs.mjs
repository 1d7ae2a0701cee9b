// Four fast subgraphs in one process, /national /works /regions /figures, and an agency's, /agency. Data are made from ids, documents parsed once; GET / says how many requests there were.
import http from "node:http";
import { Kind, parse, valueFromASTUntyped } from "graphql";

const STATUSES = ["SUBMITTED", "IN_PROGRESS", "ANSWERED", "ARCHIVED"];

const officer = (number) => ({ __typename: "Officer", id: `O${number}`, name: `Officer ${number}` });

const complaint = (number) => ({
  __typename: "Complaint",
  id: `C${number}`,
  title: `Pothole in district ${number}`,
  status: STATUSES[number % 4],
  category: { __typename: "Category", code: `K${number % 3}`, name: `Category ${number % 3}` },
  holder: { __typename: "Agency", id: `A${Math.floor(number / 4)}`, name: `Agency ${Math.floor(number / 4)}` },
  work: { __typename: "Work", stage: "Survey", percent: number % 100, officer: officer(number) },
  region: region(Math.floor(number / 3)),
});

const agency = (number) => ({
  __typename: "Agency",
  id: `A${number}`,
  name: `Agency ${number}`,
  workingDays: 3 + (number % 9),
  officers: [officer(number), officer(number + 1), officer(number + 2)],
  score: 4.5 - (number % 10) / 10,
  complaintCount: 100 * number,
});

const region = (number) => ({
  __typename: "Region",
  code: `R${number}`,
  name: `City ${number}`,
  province: `Province ${number % 4}`,
  complaintCount: 10 * number,
});

const numbered = (id) => Number(id.slice(1));

const entities = {
  Complaint: ({ id, status }) => ({
    ...complaint(numbered(id)),
    estimatedEnd: status === "ANSWERED" ? null : `2026-12-01 ${status}`,
    kabBadungSurvey: id.charCodeAt(id.length - 1) % 5,
  }),
  Agency: ({ id }) => agency(numbered(id)),
  Region: ({ code }) => region(numbered(code)),
};

const root = {
  __typename: "Query",
  latestComplaints: ({ first = 20, after = 0 }) => Array.from({ length: first }, (_, index) => complaint(after + index)),
  _entities: ({ representations }) => representations.map((each) => entities[each.__typename](each)),
};

const documents = new Map();

function documentOf(text) {
  let found = documents.get(text);
  if (!found) {
    const { definitions } = parse(text);
    const fragments = definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
    found = {
      operation: definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION),
      fragments: Object.fromEntries(fragments.map((each) => [each.name.value, each])),
    };
    documents.set(text, found);
  }
  return found;
}

function select(object, selectionSet, fragments, variables, into) {
  for (const selection of selectionSet.selections) {
    if (selection.kind === Kind.FIELD) {
      const { name, alias, arguments: given, selectionSet: below } = selection;
      let value = object[name.value];
      if (typeof value === "function")
        value = value(Object.fromEntries(given.map((each) => [each.name.value, valueFromASTUntyped(each.value, variables)])));
      into[(alias ?? name).value] = below ? complete(value, below, fragments, variables) : (value ?? null);
      continue;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection;
    const type = fragment.typeCondition?.name.value;
    if (!type || type === object.__typename) select(object, fragment.selectionSet, fragments, variables, into);
  }
  return into;
}

function complete(value, selectionSet, fragments, variables) {
  if (value == null) return null;
  if (Array.isArray(value)) return value.map((each) => complete(each, selectionSet, fragments, variables));
  return select(value, selectionSet, fragments, variables, {});
}

let asked = 0;

http
  .createServer((request, response) => {
    if (request.method === "GET") return response.end(String(asked));
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      asked += 1;
      const { query, variables } = JSON.parse(Buffer.concat(chunks));
      const { operation, fragments } = documentOf(query);
      const body = JSON.stringify({ data: select(root, operation.selectionSet, fragments, variables ?? {}, {}) });
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
      response.end(body);
    });
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
