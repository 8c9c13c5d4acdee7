package admin

// What only tests of this package see.

const (
	AuditShown = auditShown
)

var (
	AuditWords = auditWords
	BytesWords = bytesWords
)
