// How a job is treated: tried five times, removed when it is done.
'use strict';

module.exports = {
  jobOptions: {
    attempts: 5,
    backoff: { type: 'exponential', delay: 1000 },
    removeOnComplete: true,
  },
};
