/** What tools that judge a running broker share: the broker as a process, facts about where it ran, pages of results. */
export { BrokerProcess, type BrokerProcessOptions } from './broker-process.ts'
export { type LabFacts, labFacts, type RepositoryFacts, repositoryFacts } from './facts.ts'
export { factsTable, table } from './markdown.ts'
export { ROOT, writeJson, writePage } from './pages.ts'
