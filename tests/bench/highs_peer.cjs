// Solves a CPLEX LP file with the `highs` package: node highs_peer.cjs PACKAGE FILE GAP SECONDS
const fs = require("fs");
const [, , folder, file, gap, seconds] = process.argv;
require(folder)({}).then((highs) => {
  const answer = highs.solve(fs.readFileSync(file, "utf8"), {
    time_limit: Number(seconds), mip_rel_gap: Number(gap),
  });
  const cost = Number.isFinite(answer.ObjectiveValue) ? answer.ObjectiveValue : null;
  console.log(JSON.stringify({ status: answer.Status, cost }));
}).catch((error) => console.log(JSON.stringify({ status: String(error), cost: null })));
