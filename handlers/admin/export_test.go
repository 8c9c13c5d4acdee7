package admin

// Names that only the tests of this package use.

const (
	AuditShown = auditShown
)

var AuditWords = auditWords
