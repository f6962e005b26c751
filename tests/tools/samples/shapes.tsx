import React from "react";

type Props = { title: string };

export const Card: React.FC<Props> = ({ title }) => {
  const onClick = () => alert(title);
  return <div onClick={onClick}>{title}</div>;
};

export default function App(): JSX.Element {
  return <Card title="x" />;
}
