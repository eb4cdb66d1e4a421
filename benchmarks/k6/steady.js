/**
 * Constant arrival: requests come at RATE per second for DURATION whether or not earlier ones were
 * answered, so that queueing shows in the percentiles.
 *
 *   k6 run -e API_KEY=sk-omx-test-... -e RATE=500 benchmarks/k6/steady.js
 */
import { check } from 'k6';
import http from 'k6/http';

import { baseUrl, numberFrom, params, toBody } from './config.js';

const rate = numberFrom('RATE', 200);

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      exec: 'askOnce',
      rate,
      timeUnit: '1s',
      duration: __ENV.DURATION || '2m',
      preAllocatedVUs: Math.ceil(rate / 4),
      maxVUs: rate * 4,
    },
  },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

const body = toBody(12, {});

export function askOnce() {
  const answer = http.post(`${baseUrl}/chat/completions`, body, params);
  check(answer, {
    'status is 200': (r) => r.status === 200,
    'usage has a cost': (r) => r.status === 200 && typeof r.json('usage.cost') === 'number',
  });
}
