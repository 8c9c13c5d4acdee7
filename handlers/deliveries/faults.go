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
	Do   string // a sentence: what to do about it
}

// deliveryFaults are the error classes of attempts that got no answer.
var deliveryFaults = map[string]Fault{
	wire.ClassDNS:      {"DNS", "Check the host in the URL, and that the DNS of Sitehooks' server knows it."},
	wire.ClassRefused:  {"refused", "Check that the receiver runs, and the port in the URL."},
	wire.ClassTimeout:  {"timed out", "Let the receiver answer first and do its work afterwards."},
	wire.ClassTLS:      {"TLS", "Check the receiver's certificate: not expired, made for this host, complete with its chain."},
	wire.ClassBlocked:  {"blocked", "If it is a receiver of yours, name it in SITEHOOKS_ALLOW_TARGETS."},
	wire.ClassReset:    {"connection lost", "Look into the log of the receiver, or of the proxy before it."},
	wire.ClassProtocol: {"not HTTP", "Check the port in the URL, and whether it should begin with http or https."},
	wire.ClassTooLarge: {"answer too large", "Let the receiver answer with fewer and shorter headers."},
	wire.ClassCanceled: {"interrupted", "Nothing: it is tried again."},
}

// FaultOf returns the words for an error class, also an unknown one.
func FaultOf(class string) Fault {
	if fault, ok := deliveryFaults[class]; ok {
		return fault
	}
	return Fault{"error", "The log of Sitehooks says more."}
}

// deliveryErrorClasses is the order in which the filter offers them.
var deliveryErrorClasses = []string{
	wire.ClassDNS, wire.ClassRefused, wire.ClassTimeout, wire.ClassTLS, wire.ClassBlocked,
	wire.ClassReset, wire.ClassProtocol, wire.ClassTooLarge, wire.ClassCanceled, wire.ClassOther,
}

// Answer says what an answer was, and what to do about it when it was
// not a success.
func Answer(code int) (what, do string) {
	what = StatusText(code)
	switch {
	case code < 300:
		return what, "Look at the answer: its type wants to read something else in it."
	case code < 400:
		return what, "Redirects are not followed. Enter the address that it leads to."
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return what, "Check the signing secret and custom headers against what the receiver expects."
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return what, "Check the path in the URL."
	case code == http.StatusGone:
		return what, "The receiver wants no more of these. Enter its new URL, or delete the webhook."
	case code == http.StatusRequestEntityTooLarge:
		return what, "Raise the receiver's limit for the size of a body. Sitehooks sends up to 256 KiB, more for a single large item."
	case code == http.StatusTooManyRequests:
		return what, "Nothing, if it is rare: the next attempt waits longer."
	case code < 500:
		return what, "The receiver understood the request and did not want it. Its answer may say why."
	default:
		return what, "The receiver failed. Its own log says why."
	}
}

// StatusText is a status in words: 503 Service Unavailable.
func StatusText(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}
