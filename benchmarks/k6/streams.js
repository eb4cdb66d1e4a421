/**
 * Streams at a constant arrival rate. k6 reads an answer to its end before it returns, so that its
 * waiting time is the time to the first byte and its duration the whole stream.
 *
 *   k6 run -e API_KEY=sk-omx-test-... -e RATE=50 benchmarks/k6/streams.js
 */
import { check } from 'k6';
import http from 'k6/http';
import { Trend } from 'k6/metrics';

import { baseUrl, numberFrom, params, toBody } from './config.js';

const rate = numberFrom('RATE', 50);
const firstByte = new Trend('time_to_first_byte', true);

export const options = {
  scenarios: {
    streams: {
      executor: 'constant-arrival-rate',
      exec: 'streamOnce',
      rate,
      timeUnit: '1s',
      duration: __ENV.DURATION || '2m',
      preAllocatedVUs: rate * 2,
      maxVUs: rate * 40,
    },
  },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

const body = toBody(64, { stream: true });

export function streamOnce() {
  const answer = http.post(`${baseUrl}/chat/completions`, body, params);
  firstByte.add(answer.timings.waiting);
  check(answer, {
    'status is 200': (r) => r.status === 200,
    'ends in [DONE]': (r) => r.status === 200 && r.body.trimEnd().endsWith('data: [DONE]'),
    'usage has a cost': (r) => r.status === 200 && r.body.includes('"cost":'),
  });
}
