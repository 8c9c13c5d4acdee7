package deliveries

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// attemptView is the attempt that is shown in full.
type attemptView struct {
	attemptLine
	URL      string
	Request  []headerLine
	Response []headerLine
	Code     int    // 0: no answer came
	Status   string // the code in words
	Error    string // the network error; empty: none
	Body     []CodePart
	Longer   bool
}

// headerLine is one header; a starred one was sensitive.
type headerLine struct {
	Name, Value string
	Starred     bool
	Aside       string // a timestamp as a time
}

func newAttemptView(a models.Attempt, line attemptLine, raw bool) *attemptView {
	v := &attemptView{
		attemptLine: line, Code: a.Code, URL: a.URL, Error: a.Error, Longer: a.Truncated,
		Request: headerLines(a.RequestHeaders), Response: headerLines(a.ResponseHeaders), Body: shownCode(a.ResponseBody, raw),
	}
	if v.Error == line.What {
		v.Error = ""
	}
	if a.Code != 0 {
		v.Status = StatusText(a.Code)
	}
	return v
}

// headerLines reads headers as they were recorded: [[name, value], …].
func headerLines(recorded []byte) []headerLine {
	var pairs [][2]string
	if json.Unmarshal(recorded, &pairs) != nil {
		return nil
	}
	lines := make([]headerLine, 0, len(pairs))
	for _, pair := range pairs {
		line := headerLine{Name: pair[0], Value: pair[1], Starred: starred(pair[1])}
		if seconds, ok := web.Positive(pair[1]); ok && timestampHeader(pair[0]) && seconds < 1e11 {
			line.Aside = fmt.Sprintf("(%s UTC)", time.Unix(seconds, 0).UTC().Format("15:04:05"))
		}
		lines = append(lines, line)
	}
	return lines
}
