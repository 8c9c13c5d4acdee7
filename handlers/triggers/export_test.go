package triggers

// What only tests of this package see.

const (
	EventsShown = eventsShown
)

type (
	TriggerCase = triggerCase
)

var (
	ErasePath        = erasePath
	ExplainTrigger   = explainTrigger
	NewTriggerLine   = newTriggerLine
	NewTriggerResult = newTriggerResult
	TriggerQuestion  = questionAbout
)
