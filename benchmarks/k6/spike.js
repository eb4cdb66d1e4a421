/**
 * A calm rate, ten times as much for half a minute, and calm again: does it refuse cleanly (429 or
 * 503 with retry-after) rather than fail, and does it recover?  k6 run -e API_KEY=sk-omx-test-...
 * -e RATE=100 benchmarks/k6/spike.js
 */
import { check } from 'k6';
import http from 'k6/http';

import { baseUrl, numberFrom, params, toBody } from './config.js';

const rate = numberFrom('RATE', 100);
const peak = rate * 10;

export const options = {
  scenarios: {
    spike: {
      executor: 'ramping-arrival-rate',
      exec: 'askOnce',
      startRate: rate,
      timeUnit: '1s',
      preAllocatedVUs: Math.ceil(peak / 4),
      maxVUs: peak * 4,
      stages: [
        { target: rate, duration: '30s' },
        { target: peak, duration: '2s' },
        { target: peak, duration: '30s' },
        { target: rate, duration: '2s' },
        { target: rate, duration: '30s' },
      ],
    },
  },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
  },
};

const body = toBody(12, {});
const refusals = [429, 503];

export function askOnce() {
  const answer = http.post(`${baseUrl}/chat/completions`, body, params);
  check(answer, {
    'answered or refused cleanly': (r) =>
      r.status === 200 || (refusals.includes(r.status) && r.headers['Retry-After'] !== undefined),
  });
}
