package follow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// TestRecordedRuns reports what was recorded of a real Apache Answer on each of
// its databases.
func TestRecordedRuns(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) {
			s := newFollowed(t, "sqlite")
			recording := answertest.Recorded(t, kind, start, 10*time.Minute)
			zone, err := time.LoadLocation(recording.ZoneName())
			ok(t, err)
			for _, n := range activityNumbers {
				s.Remove("config", int64(n))
			}
			s.Apply(recording.Steps[0])
			s.o.Timezone, s.o.From = zone, recording.Begin().Add(time.Second)
			s.follow()
			for _, step := range recording.Steps[1:] {
				s.Apply(step)
				s.later(10 * time.Minute) // rows that the log lost are found too
				var got []string
				for _, id := range s.in.ids() {
					e := s.in.events[id]
					of, what, _ := strings.Cut(e.Type, ".")
					item := fmt.Sprintf("%s %s %d", of, what, e.Question.QuestionID)
					if e.Answer != nil && e.Comment == nil {
						item += fmt.Sprintf(" %d", e.Answer.AnswerID)
					} else {
						item += " 0"
					}
					if e.Comment != nil {
						item += fmt.Sprintf(" %d", e.Comment.CommentID)
					} else {
						item += " 0"
					}
					got = append(got, item)
				}
				s.in.order = nil
				slices.Sort(got)
				want := slices.Sorted(slices.Values(step.Arrives))
				if !slices.Equal(got, want) {
					t.Fatalf("%s: arrived %q, want %q", step.Name, got, want)
				}
			}
			if !strings.HasPrefix(s.in.events["answer:community:q20:created"].Question.Link, "https://answer.example/questions/1001000000000002") {
				t.Errorf("%+v", s.in.events["answer:community:q20:created"].Question)
			}
		})
	}
}
