// Other tools on every tenant, in one process: node peers.js typeorm|node-pg-migrate FOLDER CONNECTIONS
// FOLDER has typeorm/ and node-pg-migrate/ with the migrations in each one's own form. The connection is libpq's environment.
'use strict';
const path = require('path');
const { Client } = require('pg');
const [tool, folder, connections] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const server = { host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE };

async function typeorm(schema) {
  const { DataSource } = require('typeorm');
  const source = new DataSource({
    type: 'postgres', host: server.host, port: server.port, username: server.user, database: server.database, schema,
    extra: { options: `-c search_path=${schema},public`, max: 1 },
    migrations: [path.join(folder, 'typeorm', '*.js')], migrationsTableName: 'typeorm_migrations',
  });
  await source.initialize();
  await source.runMigrations({ transaction: 'all' });
  await source.destroy();
}

let runner;
async function nodePgMigrate(schema) {
  runner = runner || (await import('node-pg-migrate')).runner;
  const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
  await runner({
    databaseUrl: server, dir: path.join(folder, 'node-pg-migrate'), direction: 'up', schema, migrationsSchema: schema,
    migrationsTable: 'pgmigrations', singleTransaction: true, noLock: connections > 1, verbose: false, logger: quiet,
  });
}

async function main() {
  const client = new Client(server);
  await client.connect();
  const { rows } = await client.query('SELECT schema_name FROM public.tenants ORDER BY 1');
  await client.end();
  const migrate = tool === 'typeorm' ? typeorm : nodePgMigrate;
  const lane = async () => { for (let next = rows.shift(); next; next = rows.shift()) await migrate(next.schema_name); };
  await Promise.all(Array.from({ length: connections }, lane));
}
main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
