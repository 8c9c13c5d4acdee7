package web

// What only tests of this package see.

const (
	FormLimit = formLimit
	Policy    = policy
)

var Refillable = refillable
