package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error classes: why no answer came.
const (
	ClassDNS      = "dns"       // the name does not resolve
	ClassRefused  = "refused"   // no server listens there, or there is no route to it
	ClassTimeout  = "timeout"   // no complete answer in time
	ClassTLS      = "tls"       // the certificate or the encryption is at fault
	ClassBlocked  = "blocked"   // the guard does not let us go there
	ClassReset    = "reset"     // the connection broke off
	ClassProtocol = "protocol"  // the answer is not HTTP
	ClassTooLarge = "too_large" // more headers than are read
	ClassCanceled = "canceled"  // we stopped it ourselves; says nothing about the receiver
	ClassOther    = "other"
)

// Response is a response, or the reason for its absence: either Code or
// ErrorClass is set.
type Response struct {
	Code       int
	Header     http.Header
	Body       []byte
	ErrorClass string
}

// words describes the response in a sentence for people.
func (r Response) words(timeout time.Duration) string {
	switch r.ErrorClass {
	case "":
		return "The receiver answered " + codeWords(r.Code) + "."
	case ClassDNS:
		return "The host name does not resolve."
	case ClassRefused:
		return "The connection was refused."
	case ClassTimeout:
		return fmt.Sprintf("The receiver did not answer within %s.", spanWords(timeout))
	case ClassTLS:
		return "A trusted TLS connection could not be established."
	case ClassBlocked:
		return "The receiver's address is not allowed as a target. An operator can allow it with SITEHOOKS_ALLOW_TARGETS."
	case ClassReset:
		return "The receiver closed the connection before its response was complete."
	case ClassProtocol:
		return "The response is not valid HTTP."
	case ClassTooLarge:
		return "The response has too many or too large headers."
	case ClassCanceled:
		return "The attempt was interrupted because Sitehooks is stopping."
	}
	return "The receiver did not answer."
}

// codeWords is a status code with its usual text: "410 Gone".
func codeWords(code int) string {
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// spanWords is a time span as people say it, in the largest unit that is
// whole: "15 seconds", "24 hours", "5 days".
func spanWords(d time.Duration) string {
	unit, name := time.Second, "second"
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		unit, name = 24*time.Hour, "day"
	case d >= time.Hour && d%time.Hour == 0:
		unit, name = time.Hour, "hour"
	case d >= time.Minute && d%time.Minute == 0:
		unit, name = time.Minute, "minute"
	case d < time.Second:
		unit, name = time.Millisecond, "millisecond"
	}
	n := int64(d / unit)
	if n != 1 {
		name += "s"
	}
	return fmt.Sprintf("%d %s", n, name)
}
