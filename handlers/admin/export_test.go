package admin

// What only tests of this package see.

const (
	AuditShown     = auditShown
	DescriptionMax = descriptionMax
	ReasonMax      = reasonMax
)

var (
	AuditWords = auditWords
	BytesWords = bytesWords
)
