package account

// Names that only the tests of this package use.

const (
	CarriedPrefix  = carriedPrefix
	DeviceCookie   = deviceCookie
	FailuresAnyone = failuresAnyone
	FailuresGroup  = failuresGroup
	SlowDown       = slowDown
)

var TooManyPasswords = tooManyPasswords
