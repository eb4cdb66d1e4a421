/**
 * Small requests at a constant rate; half-way, bodies of WORDS words join them at a modest rate.
 * Compare the percentiles of the two small scenarios: large bodies should not hold up small ones.
 * k6 run -e API_KEY=sk-omx-test-... benchmarks/k6/large-bodies.js
 */
import { check } from 'k6';
import http from 'k6/http';

import { baseUrl, numberFrom, params, toBody } from './config.js';

const smallRate = numberFrom('RATE', 250);
const largeRate = numberFrom('LARGE_RATE', 5);
const words = numberFrom('WORDS', 100000);

function toScenario(exec, rate, startTime) {
  return {
    executor: 'constant-arrival-rate',
    exec,
    rate,
    timeUnit: '1s',
    startTime,
    duration: '60s',
    preAllocatedVUs: Math.max(10, Math.ceil(rate / 4)),
    maxVUs: Math.max(50, rate * 4),
  };
}

export const options = {
  scenarios: {
    small_alone: toScenario('askSmall', smallRate, '0s'),
    small_beside_large: toScenario('askSmall', smallRate, '60s'),
    large: toScenario('askLarge', largeRate, '60s'),
  },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    checks: ['rate==1'],
    // A threshold per scenario makes k6 print its percentiles apart.
    'http_req_duration{scenario:small_alone}': ['p(99)>=0'],
    'http_req_duration{scenario:small_beside_large}': ['p(99)>=0'],
    'http_req_duration{scenario:large}': ['p(99)>=0'],
  },
};

const small = toBody(12, {});
const large = toBody(words, {});

function ask(body) {
  const answer = http.post(`${baseUrl}/chat/completions`, body, params);
  check(answer, { 'status is 200': (r) => r.status === 200 });
}

export function askSmall() {
  ask(small);
}

export function askLarge() {
  ask(large);
}
