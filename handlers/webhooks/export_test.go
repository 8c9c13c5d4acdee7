package webhooks

// Names that only the tests of this package use.

const (
	PreviewFragment = previewFragment
	PreviewEvents   = previewEvents
	WebhooksShown   = webhooksShown
)

type (
	HeldBar  = heldBar
	HeldSpan = heldSpan
)

var (
	DayChart     = dayChart
	HeldWords    = heldWords
	JoinSpans    = joinSpans
	MonthChart   = monthChart
	NewSparkline = newSparkline
	OffSpans     = offSpans
	RevealPath   = revealPath
	RoundTop     = roundTop
	StateSpans   = stateSpans
)
