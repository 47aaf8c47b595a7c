/** Asks who looks. The page that was wanted stays in the address, and comes after it. */
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { login } from '@ternmq/api'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { TernMark } from '../../components/icons.tsx'
import { ProblemView } from '../../components/problem-view.tsx'
import { BrokerAddress } from '../../components/whereabouts.tsx'
import { fieldError, setCsrfToken } from '../../lib/api.ts'
import { SESSION_KEY, useAct } from '../../lib/query.ts'

export function LoginPage() {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const client = useQueryClient()
  const act = useAct(login, {
    onDone: (me) => {
      // Who comes now may be somebody else, who may see less.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] })
      setCsrfToken(me.csrfToken)
      client.setQueryData(SESSION_KEY, me)
    },
  })
  return (
    <main className="alone">
      <form
        className="panel login"
        onSubmit={(event) => {
          event.preventDefault()
          if (!act.isRunning) act.run({ body: { user, password } })
        }}
      >
        <Stack gap="md">
          <div className="brand brand-large">
            <TernMark />
            <Title order={1} size="h3">
              TernMQ
            </Title>
            <BrokerAddress />
          </div>
          <TextInput
            label="User"
            name="username"
            autoComplete="username"
            autoFocus
            required
            value={user}
            onChange={(event) => setUser(event.currentTarget.value)}
            error={fieldError(act.problem, 'user')}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={fieldError(act.problem, 'password')}
            visibilityToggleButtonProps={{ 'aria-label': 'Show password' }}
          />
          <ProblemView problem={act.problem} />
          <Button type="submit" size="sm" loading={act.isRunning}>
            Log in
          </Button>
          <Text size="xs" c="dimmed">
            The first start of the broker makes the user admin and prints the password once. A forgotten one is set anew
            with <code>ternmq users passwd admin</code>.
          </Text>
        </Stack>
      </form>
    </main>
  )
}
