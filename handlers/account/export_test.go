package account

// What only tests of this package see.

const (
	CarriedPrefix  = carriedPrefix
	DeviceCookie   = deviceCookie
	FailuresAnyone = failuresAnyone
	FailuresGroup  = failuresGroup
	SlowDown       = slowDown
)

var TooManyPasswords = tooManyPasswords
