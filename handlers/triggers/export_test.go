package triggers

// Names that only the tests of this package use.

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

// SendManyPath is the question before the events of a filter are sent.
const SendManyPath = sendManyPath

// SendsPath is where the sending of filters shows how far it is.
const SendsPath = sendsPath
