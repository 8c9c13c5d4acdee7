package deliveries

// Names that only the tests of this package use.

const (
	CodeColoured    = codeColoured
	DeliveriesShown = deliveriesShown
	ExportReads     = exportReads
	ExportRows      = exportRows
)

var (
	AttemptLines         = attemptLines
	DeliveryErrorClasses = deliveryErrorClasses
	HeaderLines          = headerLines
	NewDeliverySchedule  = newDeliverySchedule
	ParseDeliveryQuery   = parseDeliveryQuery
)
