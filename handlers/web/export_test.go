package web

// Names that only the tests of this package use.

const (
	FormLimit = formLimit
	Policy    = policy
)

var Refillable = refillable
