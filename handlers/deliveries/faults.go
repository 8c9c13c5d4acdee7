package deliveries

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Fault is a reason for a failed attempt in words for people.
type Fault struct {
	Word string // inside a sentence or after "Failed:"
	Do   string // a sentence of advice
}

// deliveryFaults are the error classes of attempts that got no answer.
var deliveryFaults = map[string]Fault{
	wire.ClassDNS:      {"DNS", "Check the host name in the URL and the DNS of the server that runs Sitehooks."},
	wire.ClassRefused:  {"refused", "Check that the receiver is running and that the port in the URL is right."},
	wire.ClassTimeout:  {"timed out", "Have the receiver respond first and do its work afterwards."},
	wire.ClassTLS:      {"TLS", "Check the receiver's certificate. It must be valid, match the host name and include its chain."},
	wire.ClassBlocked:  {"blocked", "If this is your own receiver, add it to SITEHOOKS_ALLOW_TARGETS."},
	wire.ClassReset:    {"connection lost", "Check the log of the receiver or of a proxy in front of it."},
	wire.ClassProtocol: {"not HTTP", "Check the port in the URL, and whether the URL should start with http or https."},
	wire.ClassTooLarge: {"answer too large", "Have the receiver send fewer or shorter headers."},
	wire.ClassCanceled: {"interrupted", "Nothing. Sitehooks tries again."},
}

// FaultOf returns the words for an error class, also an unknown one.
func FaultOf(class string) Fault {
	if fault, ok := deliveryFaults[class]; ok {
		return fault
	}
	return Fault{"error", "Check the log of Sitehooks."}
}

// deliveryErrorClasses is the order in which the filter offers them.
var deliveryErrorClasses = []string{
	wire.ClassDNS, wire.ClassRefused, wire.ClassTimeout, wire.ClassTLS, wire.ClassBlocked,
	wire.ClassReset, wire.ClassProtocol, wire.ClassTooLarge, wire.ClassCanceled, wire.ClassOther,
}

// Answer describes a response by its code, with advice when it was not a
// success.
func Answer(code int) (what, do string) {
	what = StatusText(code)
	switch {
	case code < 300:
		return what, "This type of webhook expects a different response. Check that the URL belongs to a receiver for this type."
	case code < 400:
		return what, "Redirects are not followed. Enter the final URL."
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return what, "Check the signing secret and custom headers against what the receiver expects."
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return what, "Check the path in the URL."
	case code == http.StatusGone:
		return what, "The receiver no longer accepts these notifications. Enter its new URL, or delete the webhook."
	case code == http.StatusRequestEntityTooLarge:
		return what, "Raise the receiver's limit on the body size. Sitehooks sends up to 256 KiB, or more for a single large item."
	case code == http.StatusTooManyRequests:
		return what, "Nothing, if this is rare. The next attempt waits longer."
	case code < 500:
		return what, "The receiver rejected the request. Its response may say why."
	default:
		return what, "The receiver failed. Check its log."
	}
}

// StatusText is a status in words: 503 Service Unavailable.
func StatusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}
