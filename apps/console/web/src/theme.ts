/** The look in numbers: a tern's blue-grey, and the coral of its beak for what matters now. */
import { createTheme, type MantineColorsTuple } from '@mantine/core'

const tern: MantineColorsTuple = [
  '#eef3f6',
  '#dbe5eb',
  '#b8cad5',
  '#91adbd',
  '#6e92a6',
  '#557b91',
  '#446a80',
  '#375769',
  '#2a4453',
  '#1d313d',
]
const coral: MantineColorsTuple = [
  '#fff0ed',
  '#ffdcd5',
  '#ffb8aa',
  '#ff937f',
  '#fb7861',
  '#f0654c',
  '#d24a30',
  '#b13c25',
  '#8e3220',
  '#6b281b',
]
const red: MantineColorsTuple = [
  '#fdecea',
  '#fad5d1',
  '#f4aca4',
  '#ec8074',
  '#e35f51',
  '#d74a3b',
  '#c43a2c',
  '#b42318',
  '#911c13',
  '#6f150e',
]
const gray: MantineColorsTuple = [
  '#f6f8f9',
  '#edf1f3',
  '#e0e6ea',
  '#cfd8de',
  '#b3bfc7',
  '#84929c',
  '#56636d',
  '#434f58',
  '#313b43',
  '#1f272d',
]
const dark: MantineColorsTuple = [
  '#d9e2e7',
  '#b9c6ce',
  '#95a5af',
  '#6d7f8a',
  '#3a4851',
  '#2c3840',
  '#202a31',
  '#171f25',
  '#11171c',
  '#0b1014',
]

export const theme = createTheme({
  primaryColor: 'tern',
  primaryShade: { light: 7, dark: 6 },
  colors: { tern, coral, red, gray, dark },
  black: '#1a2228',
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Scroll locks are written as a <style> element, which the content security policy forbids; the page scrolls inside <main> anyway.
    ModalRoot: { defaultProps: { lockScroll: false, centered: true, transitionProps: { duration: 90 } } },
    // It is a <span>: without a role nobody may give it the name that says what it is.
    Loader: { defaultProps: { role: 'status' } },
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', size: 'md' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', comboboxProps: { transitionProps: { duration: 0 } } } },
    MultiSelect: { defaultProps: { size: 'sm', comboboxProps: { transitionProps: { duration: 0 } } } },
    TagsInput: { defaultProps: { size: 'sm', comboboxProps: { transitionProps: { duration: 0 } } } },
    Tooltip: { defaultProps: { openDelay: 250, transitionProps: { duration: 0 } } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Menu: { defaultProps: { transitionProps: { duration: 0 } } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
  },
})
