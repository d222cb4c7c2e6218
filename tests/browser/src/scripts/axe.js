// One rule is off unless it is asked for by name, even where its tag is asked for.
axe
  .run(document, {
    runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  })
  .then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => ({
      rule: id,
      impact,
      targets: nodes.map((node) => node.target.join(" ")),
      why: [...nodes[0].any, ...nodes[0].all, ...nodes[0].none].map((check) => check.message).join("; "),
    })),
  )
