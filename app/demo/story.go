package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// thread is a question on its way through its life.
type thread struct {
	topic    topic
	question post
	answer   *post
	stage    int // index into steps of the next one
}

// steps are the events of each question, in this order. Two edits come in a
// row, so that the dispatch delay has something to merge.
var steps = []string{"question.created", "question.edited", "question.edited", "answer.created", "comment.created", "answer.accepted"}

// story makes up activity: the same seed tells the same story, apart from
// times and ids. It does no I/O.
type story struct {
	rand   *rand.Rand
	now    func() time.Time
	nextID int64
	topics []topic // in the order of telling; begins anew at the end
	number int
	open   []*thread
	again  *thread // is edited once more in the next step
}

func newStory(seed uint64, now func() time.Time) *story {
	s := &story{
		//nolint:gosec // a story to be told again, nothing to be guessed
		rand: rand.New(rand.NewPCG(seed, 1)), now: now,
		// Ids grow with the clock, so a later run on the same data has its own.
		nextID: now().Unix() - 1_700_000_000, topics: topics(),
	}
	s.rand.Shuffle(len(s.topics), func(i, j int) { s.topics[i], s.topics[j] = s.topics[j], s.topics[i] })
	return s
}

// opening is the first activity of all, at once: two questions in every
// location, one of them answered and accepted, so that each sample webhook soon
// has something. These topics come again only after all others.
func (s *story) opening() []event {
	wanted := map[string]string{"python-wranglers": "python", "devcentral": "backend", "accessibility": "a11y", "soe-test": "test", "main": ""}
	var events []event
	var used, rest []topic
	requested := map[string]int{}
	for _, topic := range s.topics {
		tag := wanted[topic.location]
		if requested[topic.location] == 2 || (tag != "" && !slices.Contains(topic.tags, tag)) {
			rest = append(rest, topic)
			continue
		}
		requested[topic.location]++
		used = append(used, topic)
		t := s.begin(topic)
		events = append(events, s.happen(t, "question.created"))
		if requested[topic.location] == 1 {
			events = append(events, s.happen(t, "answer.created"), s.happen(t, "answer.accepted"))
		}
	}
	s.topics = slices.Concat(rest, used)
	return events
}

// next is the activity of one step, at least one event.
func (s *story) next() []event {
	if t := s.again; t != nil {
		s.again = nil
		return []event{s.advance(t)}
	}
	if len(s.open) < 3 || (len(s.open) < 8 && s.rand.IntN(3) == 0) {
		topic := s.topics[s.number%len(s.topics)]
		s.number++
		t := s.begin(topic)
		s.open = append(s.open, t)
		return []event{s.advance(t)}
	}
	i := s.rand.IntN(len(s.open))
	t := s.open[i]
	next := s.advance(t)
	if next.Type == "question.edited" {
		s.again = t
	}
	if t.stage == len(steps) {
		s.open = append(s.open[:i], s.open[i+1:]...)
	}
	return []event{next}
}

// pause is how long to wait before the next step. The second of two edits
// follows quickly, well within the dispatch delay.
func (s *story) pause() time.Duration {
	if s.again != nil {
		return time.Second
	}
	return time.Second + time.Duration(s.rand.Int64N(int64(2*time.Second)))
}

func (s *story) id() int64 {
	s.nextID++
	return s.nextID
}

func (s *story) someone() user {
	people := samplePeople()
	return people[s.rand.IntN(len(people))]
}

func (s *story) begin(topic topic) *thread {
	id := s.id()
	return &thread{topic: topic, question: post{
		QuestionID: id, Title: topic.title, Body: topic.body, Tags: topic.tags, Owner: s.someone(),
		Link: fmt.Sprintf("%s/questions/%d/%s", siteURL, id, slug(topic.title)), CreatedMS: s.now().UnixMilli(),
	}}
}

func (s *story) advance(t *thread) event {
	kind := steps[t.stage]
	t.stage++
	return s.happen(t, kind)
}

// happen makes the event of that kind and changes the thread by it.
func (s *story) happen(t *thread, kind string) event {
	now := s.now().UTC()
	e := event{Type: kind, OccurredAt: now, Location: t.topic.location, Community: t.topic.community, Actor: t.question.Owner}
	switch kind {
	case "question.edited":
		t.question.Body = s.edited(t)
		t.question.EditedMS = now.UnixMilli()
	case "answer.created":
		id := s.id()
		t.answer = &post{
			AnswerID: id, Body: t.topic.answer, Score: s.rand.Int64N(6), Owner: s.someone(), CreatedMS: now.UnixMilli(),
			Link: fmt.Sprintf("%s/%d#%d", t.question.Link, id, id),
		}
		e.Actor = t.answer.Owner
	case "answer.accepted":
		t.answer.Accepted = true
		t.answer.Score++
	case "comment.created":
		e.Comment = &post{CommentID: s.id(), Body: t.topic.comment, Owner: s.someone(), CreatedMS: now.UnixMilli()}
		e.Actor = e.Comment.Owner
	}
	question := t.question
	e.Question = &question
	if t.answer != nil {
		answer := *t.answer
		e.Answer = &answer
	}
	return e
}

// edited is the question's text after one more edit: half of the addition
// comes first, the whole of it with the second.
func (s *story) edited(t *thread) string {
	if t.stage < len(steps) && steps[t.stage] == "question.edited" {
		first, _, _ := strings.Cut(t.topic.edit, " ")
		return t.topic.body + "\n\n" + first + " …"
	}
	return t.topic.body + "\n\n" + t.topic.edit
}
