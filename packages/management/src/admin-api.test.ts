import * as contract from '@ternmq/api'
import { expect, test } from 'vitest'

import { DefinitionWorld } from '../test/definition-world.ts'
import { AdminApi } from './admin-api.ts'
import { OperationRecords } from './operations/operation-records.ts'

/** Calls of the login: what does them knows of cookies, which is the server's business. */
const OF_THE_SERVER = [contract.login.id, contract.logout.id, contract.getMe.id]

const isRoute = (value: unknown): value is contract.AnyRoute =>
  typeof value === 'object' && value !== null && 'id' in value && 'path' in value

test('every call of the contract has one thing that does it, but those of the login', async () => {
  const { broker, parts, audit, engine } = await DefinitionWorld.open()
  const records = await OperationRecords.open(engine.catalog, 0)
  const api = new AdminApi(broker, { definitions: parts, audit, records })
  const bound = api.handlers.map(({ route }) => route.id)
  const wanted = (Object.values(contract) as unknown[]).filter(isRoute).map(({ id }) => id)
  expect([...bound, ...OF_THE_SERVER].toSorted()).toEqual(wanted.toSorted())
  await api.close()
})
