package why

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// The categories of those who have measured hosts' network stacks before (Cai et al.
// 2021, "Understanding Host Network Stack Overheads"), with our own rules: theirs are
// 430 whole names of one kernel. Rules are by prefix, because kernels rename what is
// behind it, and from the innermost function outwards.
//
//go:embed rules.txt
var ruleText string

const (
	userSpace = "user space"
	unmapped  = "other"
	ofBPF     = "BPF and measuring"
	ofCaller  = "(caller)"
)

// rules are categories by prefix; a whole name ends in a blank.
type rules struct {
	of      map[string]string
	longest int
}

var theRules = sync.OnceValue(func() rules {
	r, err := parseRules(ruleText)
	if err != nil {
		panic("rules.txt: " + err.Error()) // a test reads it
	}
	return r
})

func parseRules(text string) (rules, error) {
	r, category := rules{of: map[string]string{}}, ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		name, isHead := strings.CutSuffix(line, ":")
		switch {
		case line == "" || line[0] == '#':
			continue
		case isHead:
			category = name
			continue
		case category == "":
			return r, fmt.Errorf("line %d: a rule before the first category", i+1)
		}
		for _, word := range strings.Fields(line) {
			if whole, ok := strings.CutSuffix(word, "$"); ok {
				word = whole + " "
			}
			if other, ok := r.of[word]; ok {
				return r, fmt.Errorf("line %d: %q is of %s already", i+1, word, other)
			}
			r.of[word] = category
			r.longest = max(r.longest, len(word))
		}
	}
	return r, nil
}

// category is that of the longest prefix, "" without one.
func (r rules) category(function string) string {
	name := function + " "
	for n := min(len(name), r.longest); n > 0; n-- {
		if category, ok := r.of[name[:n]]; ok {
			return category
		}
	}
	return ""
}

// measuredWithin so many of the innermost functions a program of ours, or what calls
// it, is found.
const measuredWithin = 8

// anyBPF is what is known of a program by its address.
const anyBPF = "[bpf]"

// measuring says whether a function calls the programs of tracepoints.
func measuring(name string) bool {
	return strings.HasPrefix(name, "bpf_trace_run") || strings.HasPrefix(name, "__traceiter_") || strings.HasPrefix(name, "__bpf_trace")
}

// Category is what a stack counts to, the innermost function first.
func Category(stack []string) string {
	category, _ := categorize(stack)
	return category
}

// categorize says what a stack, the innermost function first, counts to, and by which
// function of it.
func categorize(stack []string) (category, function string) {
	if len(stack) == 0 {
		return userSpace, userSpace
	}
	r := theRules()
	for i, name := range stack[:min(len(stack), measuredWithin)] {
		if r.category(name) == ofBPF && (measuring(name) || name == anyBPF && (i+1 == len(stack) || measuring(stack[i+1]))) {
			return ofBPF, name
		}
	}
	for _, name := range stack {
		if name == anyBPF {
			continue // somebody else's program: a filter's, which counts to who called it
		}
		switch category := r.category(name); category {
		case ofCaller:
		case "":
			return unmapped, name
		default:
			return category, name
		}
	}
	return unmapped, stack[0]
}

// Context is the context of the accounting that a stack was in, the innermost function
// first.
func Context(stack []string) string {
	context, _ := whereIn(stack)
	return context
}

// whereIn is the context of the accounting that a stack was in, and how many of its
// functions, from the innermost on, are of it: what is further out was interrupted. The
// outermost softirq or interrupt says it.
func whereIn(stack []string) (context string, within int) {
	for i := len(stack) - 1; i >= 0; i-- {
		switch name := stack[i]; {
		case name == "handle_softirqs" || name == "__do_softirq":
			if i > 0 {
				if vector, ok := vectorOf[stack[i-1]]; ok {
					return vector, i + 1
				}
			}
			return "net_rx", i + 1
		case strings.HasPrefix(name, "sysvec_"), strings.HasPrefix(name, "__sysvec_"), name == "common_interrupt", name == "__common_interrupt":
			// A softirq that came behind the interrupt is in it by its stack.
			for j := i - 1; j >= 0; j-- {
				if stack[j] == "handle_softirqs" || stack[j] == "__do_softirq" {
					return whereIn(stack[:j+1])
				}
			}
			return "irq", i + 1
		}
	}
	return "task", len(stack)
}

// vectorOf is by the function that serves it.
var vectorOf = map[string]string{
	"net_rx_action": "net_rx", "net_tx_action": "net_tx", "run_timer_softirq": "timer", "hrtimer_run_softirq": "hrtimer",
	"sched_balance_softirq": "sched", "run_rebalance_domains": "sched", "rcu_core_si": "rcu", "rcu_core": "rcu",
	"tasklet_action": "tasklet", "tasklet_hi_action": "hi", "blk_done_softirq": "block",
}
