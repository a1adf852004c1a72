// Fills the queue with the events of a file, one JSON object a line, as fast as BullMQ can.
'use strict';

const fs = require('fs');
const { Queue } = require('bullmq');
const { queueName, redis } = require('./settings');
const { jobOptions } = require('./job');

const GROUP = 1000;

const fill = async (file) => {
  const queue = new Queue(queueName, { connection: redis() });
  const jobs = fs.readFileSync(file, 'utf8').trimEnd().split('\n')
    .map((line) => ({ name: 'ingest', data: JSON.parse(line), opts: jobOptions }));
  for (let at = 0; at < jobs.length; at += GROUP) {
    await queue.addBulk(jobs.slice(at, at + GROUP));
  }
  await queue.close();
};

fill(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
