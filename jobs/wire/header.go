package wire

import "strings"

// Limits of a custom header, in bytes.
const (
	maxHeaderName  = 128
	maxHeaderValue = 4096
)

// reservedHeaders describe the transport or the sender of a message. A name
// that ends in "-" stands for all that begin so. The types add their own.
var reservedHeaders = []string{
	"Accept-Encoding", "Connection", "Content-", "Expect", "Host", "HTTP2-Settings", "Keep-Alive",
	"Proxy-", ViaHeader, "TE", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent",
}

// ReservedHeader says whether a custom header may not have this name because
// it belongs to the connection, the content or a type's signature.
func ReservedHeader(name string) bool {
	if reserves(reservedHeaders, name) {
		return true
	}
	for _, f := range registered {
		if reserves(f.OwnHeaders, name) {
			return true
		}
	}
	return false
}

func reserves(list []string, name string) bool {
	for _, r := range list {
		if strings.EqualFold(r, name) {
			return true
		}
		if strings.HasSuffix(r, "-") && len(name) > len(r) && strings.EqualFold(r, name[:len(r)]) {
			return true
		}
	}
	return false
}

// CheckHeader describes the fault of a custom header in a sentence for people;
// nil when there is none. It never repeats the value, which may be a secret.
func CheckHeader(name, value string) error {
	switch {
	case name == "":
		return Sentence("A header needs a name.")
	case len(name) > maxHeaderName:
		return Sentencef("A header's name can have up to %d characters.", maxHeaderName)
	case strings.Trim(name, tokenCharacters) != "":
		return Sentence("A header's name can contain letters, digits and hyphens only.")
	case ReservedHeader(name):
		return Sentencef("The header %s is set by Sitehooks and cannot be changed.", name)
	case len(value) > maxHeaderValue:
		return Sentencef("The value of the header %s is longer than %d characters.", name, maxHeaderValue)
	case strings.ContainsFunc(value, notPrintable):
		return Sentencef("The value of the header %s contains a line break or a character outside printable ASCII.", name)
	case strings.TrimSpace(value) != value:
		return Sentencef("The value of the header %s starts or ends with a space.", name)
	}
	return nil
}

// tokenCharacters are those that RFC 9110 lets a header's name have.
const tokenCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

func notPrintable(r rune) bool { return r < ' ' || r > '~' }
