/** A schema as a list of its fields; those inside open when they are wanted. */
import { useState } from 'react'
import { type OpenApiDocument, resolveSchema, sayType, type Schema } from './openapi.ts'

interface SchemaViewProps {
  readonly schema: Schema
  readonly document: OpenApiDocument
}

export function SchemaView({ schema, document }: SchemaViewProps) {
  const { schema: found } = resolveSchema(schema, document)
  const fields = Object.entries(found.properties ?? {})
  if (fields.length === 0) return <code>{sayType(schema, document)}</code>
  return (
    <ul className="plain-list schema">
      {fields.map(([name, field]) => (
        <li key={name}>
          <code>
            <b>{name}</b>
            {found.required?.includes(name) === true ? '' : '?'}: {sayType(field, document)}
          </code>{' '}
          <span className="dim">{field.description}</span>
          <Inside schema={field} document={document} />
        </li>
      ))}
    </ul>
  )
}

function Inside({ schema, document }: SchemaViewProps) {
  const [isOpen, setOpen] = useState(false)
  const inner = resolveSchema(schema.items ?? schema, document).schema
  if (inner.properties === undefined) return null
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="dim small">fields</summary>
      {isOpen && <SchemaView schema={inner} document={document} />}
    </details>
  )
}
