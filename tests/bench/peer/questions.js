// GET /stats with the statement that ours has: what Node.js makes of the same SQL.
'use strict';

const express = require('express');
const { Pool } = require('pg');
const { setting } = require('./settings');

const pool = new Pool({ connectionString: setting('DATABASE_URL'), max: 4 });
const text = 'SELECT total_views, unique_users, path, views FROM stats($1, $2)';

const app = express();
app.get('/stats', async (request, response) => {
  const { site_id: site, date } = request.query;
  const { rows } = await pool.query({ name: 'stats', text, values: [site, date || null] });
  response.json({
    site_id: site,
    date: date || null,
    total_views: Number(rows[0].total_views),
    unique_users: Number(rows[0].unique_users),
    top_paths: rows.filter((row) => row.path !== null)
      .map((row) => ({ path: row.path, views: Number(row.views) })),
  });
});
app.get('/readyz', async (request, response) => {
  await pool.query('SELECT 1');
  response.json({ status: 'ready' });
});
app.listen(Number(setting('PORT')), '127.0.0.1');
