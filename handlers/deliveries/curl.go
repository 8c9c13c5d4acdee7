package deliveries

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/models"
)

// curlSkips are headers that curl sets itself.
var curlSkips = map[string]bool{"host": true, "content-length": true, "accept-encoding": true, "connection": true}

// curlCommand is the request of an attempt as a command of a shell. Header values
// that were sensitive are not recorded; hidden names these headers. It is empty
// for a body that a command line cannot hold.
func curlCommand(a models.Attempt, body []byte) (command string, hidden []string) {
	if !utf8.Valid(body) || strings.ContainsRune(string(body), 0) || len(body) > curlMost {
		return "", nil
	}
	var pairs [][2]string
	if json.Unmarshal(a.RequestHeaders, &pairs) != nil {
		return "", nil
	}
	lines := []string{"curl -i -X POST " + shellQuoted(a.URL)}
	for _, pair := range pairs {
		switch {
		case curlSkips[strings.ToLower(pair[0])]:
		case starred(pair[1]):
			hidden = append(hidden, pair[0])
		default:
			lines = append(lines, "-H "+shellQuoted(pair[0]+": "+pair[1]))
		}
	}
	lines = append(lines, "--data-raw "+shellQuoted(string(body)))
	return strings.Join(lines, " \\\n  "), hidden
}

// curlMost is how long a body may be for a command line, in bytes.
const curlMost = 64 << 10

// shellQuoted is one word of a POSIX shell that stands for the text.
func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
