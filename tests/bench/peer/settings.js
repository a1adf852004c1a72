// Settings that the programs of the peer share, all from the environment.
'use strict';

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

module.exports = {
  setting,
  queueName: 'events',
  redis: () => ({ host: '127.0.0.1', port: Number(setting('REDIS_PORT')) }),
};
