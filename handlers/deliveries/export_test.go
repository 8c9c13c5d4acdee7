package deliveries

// What only tests of this package see.

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
