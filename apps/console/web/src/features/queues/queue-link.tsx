/** The name of a queue, which leads to its page. */
import { Link } from '@tanstack/react-router'

export function QueueLink({ name }: { readonly name: string }) {
  return (
    <Link to="/queues/$queue" params={{ queue: name }} title={name}>
      {name}
    </Link>
  )
}
