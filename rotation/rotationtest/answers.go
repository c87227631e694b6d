package rotationtest

import "time"

// Answers are what the vendors' documents leave open. The zero Answers are the ones that are likeliest.
type Answers struct {
	// HalfTaken: of a refused batch the machines that are not named were accepted
	// (https://cloud.tencent.com/document/product/213/9397; Ecs.0611 of https://support.huaweicloud.com/api-ecs).
	HalfTaken bool
	// OwnRequestIDs: each machine of a batch shows a request id of its own, and only the first the batch's
	// (LatestOperationRequestId of https://cloud.tencent.com/document/api/213/15753).
	OwnRequestIDs bool
	// StartsAfterReset: the provider starts a stopped machine after its reset
	// (https://cloud.tencent.com/document/api/213/15736).
	StartsAfterReset bool
	// LooksLate: for ten seconds a machine does not show that an operation began or ended.
	LooksLate bool
	// MarksLate: for thirty seconds a description has the tags from before.
	MarksLate bool
	// BootTooSoon: a boot within twelve seconds of the acceptance of a reset still has the old password; the one after it
	// has the new one.
	BootTooSoon bool
	// PreviousFollows: moving the label of current moves the label of previous (https://support.huaweicloud.com/api-dew).
	PreviousFollows bool
	// EmptyLabel: the secret has a label of somebody else's that is on no value.
	EmptyLabel bool
}

// An Answer is one question answered otherwise than in the zero Answers.
type Answer struct {
	Name   string
	Answer func(*Answers)
	// Kinds are those for which there is a difference, Store reports that it is one between stores.
	Kinds func(Kind) bool
	Store bool
}

// OpenQuestions are all of them.
func OpenQuestions() []Answer {
	all := func(Kind) bool { return true }
	record := func(k Kind) bool { return !k.Boot }
	labels := func(k Kind) bool { return k.Labels || k.CompareAndSet }
	return []Answer{
		{"half of a refused batch is taken", func(a *Answers) { a.HalfTaken = true }, all, false},
		{"every machine has its own request id", func(a *Answers) { a.OwnRequestIDs = true }, record, false},
		{"a reset starts the machine", func(a *Answers) { a.StartsAfterReset = true }, record, false},
		{"operations show late", func(a *Answers) { a.LooksLate = true }, all, false},
		{"marks show late", func(a *Answers) { a.MarksLate = true }, all, false},
		{"a boot can come too soon", func(a *Answers) { a.BootTooSoon = true }, func(k Kind) bool { return k.Boot }, false},
		{"previous follows current", func(a *Answers) { a.PreviousFollows = true }, func(k Kind) bool { return k.Labels }, true},
		{"a label has no value", func(a *Answers) { a.EmptyLabel = true }, labels, true},
	}
}

// How late things show, where the answer is that they do.
const (
	looksLate = 10 * time.Second
	marksLate = 30 * time.Second
	plantTime = 12 * time.Second
)

// Answer sets what the documents leave open.
func (w *World) Answer(a Answers) {
	w.answers = a
	w.shelf.answer(a)
}
