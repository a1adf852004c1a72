// GET /stats: aggregates straight from the table of events.
'use strict';

const express = require('express');
const { Pool } = require('pg');
const { setting } = require('./settings');

const pool = new Pool({ connectionString: setting('DATABASE_URL') });

const totals = 'SELECT count(*)::int AS views, count(DISTINCT user_id)::int AS users '
  + 'FROM events WHERE ';
const paths = (where) => 'SELECT path, count(*)::int AS views FROM events WHERE '
  + `${where} GROUP BY path ORDER BY views DESC LIMIT 10`;
const ofSite = 'site_id = $1';
const ofDay = "site_id = $1 AND (timestamp AT TIME ZONE 'UTC')::date = $2";

const app = express();
app.get('/stats', async (request, response) => {
  const { site_id: site, date } = request.query;
  if (!site) {
    response.status(400).json({ error: 'site_id required' });
    return;
  }
  const where = date ? ofDay : ofSite;
  const values = date ? [site, date] : [site];
  const sums = await pool.query(totals + where, values);
  const top = await pool.query(paths(where), values);
  response.json({
    site_id: site,
    date: date || null,
    total_views: sums.rows[0].views,
    unique_users: sums.rows[0].users,
    top_paths: top.rows,
  });
});
app.get('/readyz', async (request, response) => {
  await pool.query('SELECT 1');
  response.json({ status: 'ready' });
});
app.listen(Number(setting('PORT')), '127.0.0.1');
