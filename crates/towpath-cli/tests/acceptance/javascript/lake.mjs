// What a script with AWS's SDK for JavaScript does, against the endpoint in the environment.
// Prints one JSON object of what it saw; every difference from what it expects is an exception.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import {
  CancelQueryCommand,
  CloudTrailClient,
  CreateEventDataStoreCommand,
  DeleteEventDataStoreCommand,
  DescribeQueryCommand,
  EventDataStoreAlreadyExistsException,
  EventDataStoreTerminationProtectedException,
  GetEventDataStoreCommand,
  GetQueryResultsCommand,
  InactiveQueryException,
  InvalidParameterException,
  InvalidQueryStatementException,
  ListEventDataStoresCommand,
  LookupEventsCommand,
  QueryIdNotFoundException,
  StartQueryCommand,
  paginateGetQueryResults,
  paginateListEventDataStores,
  paginateLookupEvents,
} from "@aws-sdk/client-cloudtrail";

const client = new CloudTrailClient({ maxAttempts: 1 });
const send = (command) => client.send(command);

async function ended(QueryId) {
  for (let turn = 0; turn < 600; turn += 1) {
    const described = await send(new DescribeQueryCommand({ QueryId }));
    if (!["QUEUED", "RUNNING"].includes(described.QueryStatus)) return described;
    await pause(100);
  }
  throw new Error("the query does not end");
}

const created = await send(new CreateEventDataStoreCommand({ Name: "from-javascript" }));
assert.equal(created.Status, "CREATED");
assert.ok(created.CreatedTimestamp instanceof Date);
assert.equal(created.TerminationProtectionEnabled, true);
const EventDataStore = created.EventDataStoreArn;
const id = EventDataStore.split("/").pop();
const found = await send(new GetEventDataStoreCommand({ EventDataStore }));
assert.equal(found.Status, "ENABLED");

const names = [];
for await (const page of paginateListEventDataStores({ client, pageSize: 1 }, {})) {
  names.push(...page.EventDataStores.map((store) => store.Name));
}
assert.ok(names.includes("from-javascript"), names.join());
const listed = await send(new ListEventDataStoresCommand({ MaxResults: 1 }));
assert.equal(listed.EventDataStores.length, 1);

const refused = [
  [new CreateEventDataStoreCommand({ Name: "from-javascript" }), EventDataStoreAlreadyExistsException],
  [new CreateEventDataStoreCommand({ Name: "no" }), InvalidParameterException],
  [new DeleteEventDataStoreCommand({ EventDataStore }), EventDataStoreTerminationProtectedException],
  [new StartQueryCommand({ QueryStatement: `DROP TABLE ${id}` }), InvalidQueryStatementException],
  [new DescribeQueryCommand({ QueryId: crypto.randomUUID() }), QueryIdNotFoundException],
];
for (const [command, type] of refused) {
  await assert.rejects(send(command), (error) => {
    assert.ok(error instanceof type, `${type.name}: ${error}`);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.ok(error.$metadata.requestId, "an error has the id of its request");
    return true;
  });
}

const QueryStatement = `SELECT n, (SELECT count(*) FROM ${id}) AS events FROM UNNEST(sequence(1, 2500)) AS t(n)`;
const { QueryId } = await send(new StartQueryCommand({ QueryStatement }));
const described = await ended(QueryId);
assert.equal(described.QueryStatus, "FINISHED", JSON.stringify(described));
assert.ok(described.QueryStatistics.CreationTime instanceof Date);
const numbers = new Set();
const pages = [];
for await (const page of paginateGetQueryResults({ client, pageSize: 1000 }, { QueryId })) {
  pages.push(page.QueryResultRows.length);
  for (const [n, events] of page.QueryResultRows) {
    numbers.add(n.n);
    assert.deepEqual(events, { events: "0" });
  }
}
assert.deepEqual(pages, [1000, 1000, 500]);
assert.equal(numbers.size, 2500);
const first = await send(new GetQueryResultsCommand({ QueryId, MaxQueryResults: 7 }));
assert.equal(first.QueryResultRows.length, 7);
await assert.rejects(send(new CancelQueryCommand({ QueryId })), InactiveQueryException);

let looked = 0;
for await (const page of paginateLookupEvents({ client, pageSize: 5 }, { StartTime: new Date(0) })) {
  looked += page.Events.length;
}
const history = await send(new LookupEventsCommand({ EndTime: new Date() }));
assert.deepEqual(history.Events, []);
console.log(JSON.stringify({ rows: numbers.size, stores: names.length, looked }));
