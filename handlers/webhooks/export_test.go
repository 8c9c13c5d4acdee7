package webhooks

// Names that only the tests of this package use.

const (
	PreviewFragment = previewFragment
	PreviewEvents   = previewEvents
	WebhooksShown   = webhooksShown
)
