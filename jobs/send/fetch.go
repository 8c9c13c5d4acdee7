package send

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// fetchTimeout is how long a look-up may take in all.
const fetchTimeout = 10 * time.Second

// errLongAnswer says that an answer has more bytes than were asked for.
const errLongAnswer = wire.Sentence("The answer is too long.")

// Fetch makes a GET request to a target and returns its answer, of at most so
// many bytes. A redirect is an answer like others. The error is a sentence for
// people.
func (c *Client) Fetch(ctx context.Context, url string, most int64) (status int, body []byte, err error) {
	to := destinationOf(url, nil)
	if to.fault != nil {
		return 0, nil, to.fault
	}
	timed, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(withDeadline(timed), http.MethodGet, "", http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	req.URL, req.Host = to.target.url, to.target.url.Host
	setHeaders(req.Header, []wire.Header{{Name: "User-Agent", Value: "Sitehooks/" + wire.Version}, {Name: "Accept", Value: "application/json"}})
	var resp *http.Response
	if err = c.checkProxied(timed, to.target); err == nil {
		resp, err = c.transport.RoundTrip(req)
	}
	if err == nil {
		defer resp.Body.Close()
		status = resp.StatusCode
		body, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	}
	if err != nil {
		_, words := classify(timed, err, 0, fetchTimeout)
		return 0, nil, wire.Sentence(words)
	}
	if int64(len(body)) > most {
		return status, nil, errLongAnswer
	}
	return status, body, nil
}

// RecordedHeaders are the headers of a request as they may be kept: sensitive
// values and secrets starred, at most 32 KiB.
func RecordedHeaders(h http.Header, secrets []string) []wire.Header {
	red := newRedactor(secrets)
	return red.headers(sortedHeaders(h), 0)
}
