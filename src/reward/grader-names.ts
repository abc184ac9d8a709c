/** Names of the graders, apart from them: option tables need the names alone, and are loaded for every `--help`. */
export const graderNames = ['standard', 'math-verify', 'limr', 'limr-compat', 'paper', 'qwen-equal'] as const;
/** The name of a grader. */
export type GraderName = (typeof graderNames)[number];
