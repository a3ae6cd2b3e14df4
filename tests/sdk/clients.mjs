// Drives one client library as told on standard input, one JSON command a line, and says what it reported.
import { createInterface } from 'node:readline'
import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { PostHog } from 'posthog-node'

const [library, host, key] = process.argv.slice(2)
const errors = []
const note = (error) => errors.push(String(error?.message ?? error?.reason ?? error?.code ?? error))

function segment() {
  const client = new Analytics({ writeKey: key, host, path: '/v1/batch', flushAt: 5, flushInterval: 100, maxRetries: 100 })
  client.on('error', note)
  return {
    track: (userId, event, properties) => client.track({ userId, event, properties }),
    tour: (userId, anonymousId, email) => {
      client.track({ anonymousId, event: 'Product Viewed', properties: { product_id: 'P1' } })
      client.identify({ userId, anonymousId, traits: { email, plan: 'pro' } })
      client.track({ userId, event: 'Order Completed', properties: { order_id: 'A-1', total: 89.99, currency: 'USD' } })
      client.page({ userId, name: 'Home' })
      client.screen({ userId, name: 'Start' })
      client.group({ userId, groupId: 'g-1', traits: { name: 'Acme' } })
      client.alias({ userId, previousId: `before-${userId}` })
    },
    close: () => client.closeAndFlush({ timeout: 90000 }),
  }
}

function rudder() {
  const Client = RudderAnalytics.default ?? RudderAnalytics
  // Three quick tries are its default: a restart on a busy machine takes longer.
  const patience = { retryCount: 100, axiosRetryConfig: { retryDelay: () => 500 } }
  const client = new Client(key, { dataPlaneUrl: host, flushAt: 5, flushInterval: 100, ...patience })
  let open = 0
  let allDone = () => {}
  // Its flush sends one portion only: the callbacks tell when everything is through.
  const done = (error) => {
    if (error) note(error)
    open -= 1
    if (open === 0) allDone()
  }
  const send = (call, message) => {
    open += 1
    client[call](message, done)
  }
  return {
    track: (userId, event, properties) => send('track', { userId, event, properties }),
    tour: (userId, anonymousId, email) => {
      send('track', { anonymousId, event: 'Product Viewed', properties: { product_id: 'P1' } })
      send('identify', { userId, anonymousId, traits: { email, plan: 'pro' } })
      send('track', { userId, event: 'Order Completed', properties: { order_id: 'A-1', total: 89.99, currency: 'USD' } })
      send('page', { userId, name: 'Home' })
      send('screen', { userId, name: 'Start' })
      send('group', { userId, groupId: 'g-1', traits: { name: 'Acme' } })
      send('alias', { userId, previousId: `before-${userId}` })
    },
    close: () => new Promise((resolve) => {
      allDone = resolve
      if (open === 0) resolve()
    }),
  }
}

function posthog() {
  const client = new PostHog(key, { host, flushAt: 5, flushInterval: 100, fetchRetryCount: 100, fetchRetryDelay: 200 })
  client.on('error', note)
  return {
    track: (distinctId, event, properties) => client.capture({ distinctId, event, properties }),
    tour: (distinctId, anonymousId, email) => {
      client.capture({ distinctId: anonymousId, event: 'Product Viewed', properties: { product_id: 'P1' } })
      client.alias({ distinctId, alias: anonymousId })
      client.identify({ distinctId, properties: { $set: { email, plan: 'pro' } } })
      client.capture({
        distinctId, event: 'Order Completed', properties: { order_id: 'A-1', total: 89.99, currency: 'USD' },
      })
      client.capture({ distinctId, event: '$pageview', properties: { $current_url: 'https://shop.example/' } })
      client.capture({ distinctId, event: 'Signed Up' })
      client.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { name: 'Acme' }, distinctId })
    },
    close: () => client.shutdown(90000),
  }
}

const client = { segment, rudder, posthog }[library]()
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  if (command.do === 'tour') client.tour(command.user, command.anonymous, command.email)
  if (command.do === 'send') for (let n = 0; n < command.count; n++) client.track(command.user, 'Step', { n })
  if (command.do === 'close') {
    await client.close()
    break
  }
  console.log(JSON.stringify({ done: command.do }))
}
console.log(JSON.stringify({ done: 'close', errors }))
process.exit(0)
